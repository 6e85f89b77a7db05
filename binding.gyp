{
  "targets": [{
    "target_name": "berkeley",
    "sources": [
      "native/module.c",
      "native/ownership.c",
      "native/syscalls.c",
      "native/ancillary.c",
      "native/messages.c",
      "native/batches.c",
      "native/options.c",
      "native/moving.c",
      "native/queues.c",
      "native/readiness.c",
      "native/polling.c",
      "native/loop.c",
      "native/constants.c",
      "native/lookup.c",
      "native/names.c",
      "native/tables.c"
    ],
    "cflags_c": ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fno-strict-aliasing"],
    "conditions": [
      ["OS=='mac'", { "xcode_settings": { "OTHER_CFLAGS": ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"] } }],
      ["OS=='linux'", { "libraries": ["-lpthread"] }]
    ]
  }]
}
