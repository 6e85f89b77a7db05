// Preloaded into each Node of scripts/test-asan.mjs. The sanitizers' runtime was preloaded into this process alone:
// programs that it starts go without (curl, for one, hangs with it), except Node, which process.execPath starts by the
// same wrapper again.

process.execPath = process.env.BERKELEY_ASAN_NODE;
const others = process.env.LD_PRELOAD?.split(" ").filter((path) => !/\/lib(asan|ubsan)\.so/.test(path)) ?? [];
if (others.length > 0) process.env.LD_PRELOAD = others.join(" ");
else delete process.env.LD_PRELOAD;
