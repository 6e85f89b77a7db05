// The pieces of docs/sockets.md, run as they stand.

import { testPieces } from "./pieces.ts";

testPieces("sockets.md", {
  "Sockets: `berkeley`": [false, /^127\.0\.0\.1 hello\n\n0\n$/],
  Time: [false, /^TimeoutError\nnot lost\nETIMEDOUT\n$/],
  Options: [false, /^true \{ onoff: true, linger: 5 \}\n1\n$/],
});
