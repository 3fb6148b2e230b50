// The client of the server's JSON API.

const CLIENT_ID = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // for X-Senga-Client

/** An error of the server: `code` for programs, `message` for people. */
export class ApiError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Send a GET request. Throws ApiError. */
export const get = (path) => request(path);

/** Post a form, blobs as files. Throws ApiError, or AbortError if the signal aborts it. */
export function post(path, fields, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) body.append(name, value);
  }
  return request(path, { method: "POST", headers: { "X-Senga-Client": CLIENT_ID }, body, signal });
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(
      "no_server",
      "The server does not answer. Check in its terminal that it still runs, then try again.",
    );
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const { code = "failed", message = `The server answered with status ${response.status}.` } = body?.error ?? {};
  throw new ApiError(code, message);
}

/** Decode a base64 PNG to an HTMLImageElement. */
export async function decodeImage(base64) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  return image;
}
