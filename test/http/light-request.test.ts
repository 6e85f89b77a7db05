// The Request of a fetch handler where nothing was replaced: light where the runtime takes such a one.
import { requestTests } from "./light-request.ts";

requestTests("as it is", {});
