"""A thousand ModelDeployments: the shipped operator against a real API server, with pods that do not exist.

Real: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as they run in the cluster's node, the charts,
and `python -m tidegate_operator` as its image runs it. Faked: nodes and pods, by KWOK, which makes a pod Running and
Ready as soon as it is scheduled. What such a pod would answer, `bench.scale.pods` answers for it.
"""
