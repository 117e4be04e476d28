/** What the page has to say: how it is going, and what went wrong. Both are live regions, so that screen readers say it too. */

const [progress, trouble] = [document.getElementById('progress'), document.getElementById('trouble')];

/** How it is going. */
export function say(text) {
  if (progress.textContent !== text) progress.textContent = text;
}

/**
 * What went wrong, until something else is done.
 * @param {{label: string, act: () => void}} [way] - a button that leads out of it.
 */
export function complain(sentence, way) {
  trouble.replaceChildren(document.createTextNode(sentence));
  if (way) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: way.label });
    button.addEventListener('click', way.act);
    trouble.append(' ', button);
  }
  trouble.hidden = false;
}

export function forgive() {
  trouble.hidden = true;
  trouble.replaceChildren();
}
