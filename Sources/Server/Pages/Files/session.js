/** What the playground shows now. */

/**
 * `source` is null where only tokens are known; `encoded` is what `/encode` answered, `tokens` what has become of it, `past` what they were;
 * `original`, `unedited` and `picture` are pixels, `png` the last as a file; `jpeg` and `other` stand beside it; `places` are where tokens act.
 */
export const state = {
  source: null,
  encoded: null,
  tokens: [],
  past: [],
  original: null,
  unedited: null,
  picture: null,
  png: null,
  jpeg: null,
  other: null,
  places: null,
};

/** The tokens that were changed, and their new values. */
export const edits = () => state.tokens.map((token, index) => [index, token]).filter(([index, token]) => token !== state.encoded.tokens[index]);

export const isEdited = () => state.tokens.some((token, index) => token !== state.encoded.tokens[index]);
