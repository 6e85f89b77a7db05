{
  "targets": [{
    "target_name": "berkeley",
    "sources": [
      "module.c",
      "ownership.c",
      "syscalls.c",
      "ancillary.c",
      "messages.c",
      "batches.c",
      "options.c",
      "moving.c",
      "queues.c",
      "readiness.c",
      "polling.c",
      "loop.c",
      "constants.c",
      "lookup.c",
      "names.c",
      "tables.c"
    ],
    "cflags_c": ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fno-strict-aliasing"],
    "conditions": [
      ["OS=='mac'", { "xcode_settings": { "OTHER_CFLAGS": ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"] } }],
      ["OS=='linux'", { "libraries": ["-lpthread"] }]
    ]
  }]
}
