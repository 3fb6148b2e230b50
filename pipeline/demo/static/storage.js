// The newest drawing, kept in this browser alone, so that it survives a reload.

const DATABASE = "senga";
const STORE = "drawings";
const KEY = "newest";

/** Keep a drawing: plain data, ImageData included. Rejects if the browser keeps nothing. */
export async function saveDrawing(drawing) {
  await transact("readwrite", (store) => store.put(drawing, KEY));
}

/** Return the kept drawing, or null if there is none or the browser keeps nothing. */
export async function loadDrawing() {
  try {
    return (await transact("readonly", (store) => store.get(KEY))) ?? null;
  } catch {
    return null;
  }
}

async function transact(mode, act) {
  const database = await openDatabase();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
