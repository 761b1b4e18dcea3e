module tidegate.io/images/router/drain

go 1.25.0
