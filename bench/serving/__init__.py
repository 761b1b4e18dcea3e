"""The predictor beside what users would pick instead: requests a second, latency and memory, in one run.

    make bench-serving                    (python -m bench.serving [--rounds 5] [--seconds 2] [--only tidegate,kserve])

One model (200 trees, 30 numbers), answered by ONNX Runtime everywhere, the same version of it. Every server runs on
one core and wrk on another; both with real-time priority where that is allowed, since a neighbour's process would
otherwise decide who looks fast. Rounds alternate between the servers, and those that wait are stopped in the meantime.
1 and 16 connections, 1 and 32 rows; every answer is a 200, or the run ends.

What each server does and does not do beside is in `programs/`; each is set up as its documentation recommends for
throughput on one core, keeps the validation that its users have, and runs in an environment of its own from
`locks/bench-<name>.txt`. Tidegate gives ids, validates every value and counts every bin, as it does in a pod.
"""
