/** The way to the playground is shown where there is one: a server may be told to have none. */

import { base } from './service.js';

const link = document.querySelector('nav a[href="./"]');
fetch(base, { method: 'HEAD' }).then(
  ({ ok }) => (link.hidden = !ok),
  () => {},
);
