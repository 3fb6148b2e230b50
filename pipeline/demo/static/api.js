// The server's JSON API.

const PAGE = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // see X-Senga-Client

/** What the server refused: `code` for programs, `message` for people. */
export class ApiError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** GET. Throws ApiError. */
export const get = (path) => request(path);

/** POST of a form, blobs as files. Throws ApiError, or AbortError where the signal says so. */
export function post(path, fields, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) body.append(name, value);
  }
  return request(path, { method: "POST", headers: { "X-Senga-Client": PAGE }, body, signal });
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(
      "no_server",
      "The server does not answer: look whether it still runs in its terminal, then try again.",
    );
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const { code = "failed", message = `The server answered ${response.status}.` } = answer?.error ?? {};
  throw new ApiError(code, message);
}

/** An image from base64 PNG. */
export async function decoded(base64) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  return image;
}
