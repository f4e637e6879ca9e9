// Requests over HTTP as a typed tool in JavaScript; see wit/fetch.wit. It uses `fetch` as any script would: the engine
// turns it into wasi:http, and waits for the promise that an export gives back.

import { getEnvironment } from "wasi:cli/environment@0.2.12";

export const web = {
  fetch(url, token) {
    return get(url, token === undefined ? {} : { authorization: `Bearer ${token}` });
  },

  fetchHeader(url, header, variable) {
    // Asked for at run time: the module's top level runs when the component is built.
    const value = getEnvironment().find(([name]) => name === variable)?.[1];
    if (value === undefined) throw `${variable} is not set`;
    return get(url, { [header]: `Bearer ${value}` });
  },
};

async function get(url, headers) {
  try {
    const response = await fetch(url, { headers });
    return {
      status: response.status,
      headers: [...response.headers].map(([name, value]) => ({ name, value })),
      // Not text(), which this engine ends with an error where the bytes are no UTF-8.
      body: new TextDecoder().decode(await response.arrayBuffer()),
    };
  } catch (error) {
    // A result in WIT: what is thrown is its `err`, and it has to be the text that the WIT promises.
    throw `${url}: ${error?.message ?? error}`;
  }
}
