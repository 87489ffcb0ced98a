/** The console of operations: <mcn-console>. */

import { McnConsole } from "./console/mcn-console";

if (!customElements.get("mcn-console")) customElements.define("mcn-console", McnConsole);

export { McnConsole };
