// MD5 (RFC 1321). Pusher's signatures need it for body_md5, and WebCrypto has no MD5: it is too weak for anything that
// must be secure. Here the HMAC protects the digest.

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
const CONSTANTS = Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32));
const BLOCK_BYTES = 64;

/**
 * @param {Uint8Array} bytes
 * @returns {string} the digest as 32 lower-case hexadecimal digits
 */
export function md5(bytes) {
  const blocks = padded(bytes);
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let start = 0; start < blocks.byteLength; start += BLOCK_BYTES) {
    const changed = mixed(state, (word) => blocks.getUint32(start + 4 * word, true));
    state = state.map((value, position) => (value + changed[position]) | 0);
  }
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((value, position) => digest.setUint32(4 * position, value, true));
  return hexadecimal(digest.buffer);
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {string}
 */
export function hexadecimal(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// One bit, zeros, and the length in bits fill the last block.
function padded(bytes) {
  const length = Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const view = new DataView(new ArrayBuffer(length));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n, true);
  return view;
}

function mixed([a, b, c, d], wordAt) {
  for (let step = 0; step < 64; step += 1) {
    const round = step >> 4;
    const [combination, word] = [
      [(b & c) | (~b & d), step],
      [(d & b) | (~d & c), 5 * step + 1],
      [b ^ c ^ d, 3 * step + 5],
      [c ^ (b | ~d), 7 * step],
    ][round];
    const sum = (a + combination + CONSTANTS[step] + wordAt(word % 16)) | 0;
    const shift = SHIFTS[round][step % 4];
    [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
  }
  return [a, b, c, d];
}
