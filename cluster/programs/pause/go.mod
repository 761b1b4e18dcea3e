module tidegate.io/cluster/pause

go 1.25.0
