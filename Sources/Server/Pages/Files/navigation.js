/** Ways are shown where they lead somewhere: a server may have no playground, and the port of health and metrics has nothing but `/status`. */

for (const link of document.querySelectorAll('header a:not([aria-current])')) {
  const check = ({ ok }) => {
    if (ok) return;
    if (link.matches('nav a')) link.hidden = true;
    else link.removeAttribute('href');
  };
  fetch(link.href, { method: 'HEAD' }).then(check, () => {});
}
