/** What the page did, for a shell and for Python. */

import { base } from './service.js';

const quoted = (word) => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const literal = (word) => JSON.stringify(word);

/**
 * @param {object} done
 * @param {{name: string, address?: string} | null} done.source - the picture; null where there are only tokens, in tokens.json.
 * @param {number} [done.side] - of the square that is encoded, in pixels; the model's own where there is none.
 * @param {[number, number][]} done.edits - tokens that were changed, and their new values.
 */
export function curl({ source, model, side, edits }) {
  const lines = [];
  if (source?.address) lines.push(`curl -sO ${quoted(source.address)}`);
  const encoding = quoted(`${base.href}encode?model=${encodeURIComponent(model)}${side ? `&size=${side}` : ''}`);
  if (source) lines.push(`curl -s --data-binary @${quoted(source.name)} ${encoding} > tokens.json`);
  const change = quoted(edits.map(([index, value]) => `.tokens[${index}]=${value}`).join('|'));
  if (edits.length) lines.push(`jq -c ${change} tokens.json > edited.json`);
  const tokens = edits.length ? 'edited.json' : 'tokens.json';
  lines.push(`curl -s --data-binary @${tokens} -H 'Content-Type: application/json' ${quoted(`${base.href}decode`)} > picture.png`);
  return lines.join('\n');
}

/** The same for the package `revq` in clients/python. */
export function python({ source, model, side, edits, fingerprint }) {
  const lines = ['import revq', '', `tokenizer = revq.Tokenizer(${literal(base.href.replace(/\/$/, ''))}, model=${literal(model)})`];
  if (source) lines.push(`tokens = tokenizer.encode([${literal(source.name)}]${side ? `, size=${side}` : ''})${source.address ? `  # ${source.address}` : ''}`);
  else lines.push(`tokens = revq.Tokens([json.load(open("tokens.json"))["tokens"]], ${literal(fingerprint)}${side ? `, (${side}, ${side})` : ''})`);
  if (!source) lines.unshift('import json');
  if (edits.length) lines.push(`tokens[0, [${edits.map(([index]) => index).join(', ')}]] = [${edits.map(([, value]) => value).join(', ')}]`);
  lines.push('tokenizer.decode(tokens)[0].save("picture.png")');
  return lines.join('\n');
}
