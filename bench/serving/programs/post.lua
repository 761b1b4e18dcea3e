-- What wrk sends, and what it says at the end: requests, a second, p50 and p99 in ms, failures of any kind.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = file:read("*a")
file:close()

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "result %d %.2f %.4f %.4f %d\n",
    summary.requests,
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000,
    e.status + e.connect + e.read + e.write + e.timeout
  ))
end
