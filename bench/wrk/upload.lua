-- Requests with 1 MiB of content; reported as the others.
wrk.method = "POST"
wrk.body = string.rep("x", 1048576)
dofile(os.getenv("BENCH_REPORT"))
