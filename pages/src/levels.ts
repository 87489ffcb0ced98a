/** The elements for apps: <mcn-level>, <mcn-card>, <mcn-ladder>, <mcn-directory>. One script, one tag each. */

import { McnCard } from "./levels/mcn-card";
import { McnDirectory } from "./levels/mcn-directory";
import { McnLadder } from "./levels/mcn-ladder";
import { McnLevel } from "./levels/mcn-level";

for (const [name, element] of Object.entries({
  "mcn-level": McnLevel,
  "mcn-card": McnCard,
  "mcn-ladder": McnLadder,
  "mcn-directory": McnDirectory,
})) {
  if (!customElements.get(name)) customElements.define(name, element);
}

export { McnCard, McnDirectory, McnLadder, McnLevel };
