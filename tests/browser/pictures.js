// Makes the pictures of the live page that the documentation has: node pictures.js FOLDER
import path from "node:path";
import {Backend, Bridge, Load} from "./bridge.js";
import {launch, open, until} from "./browser.js";

const folder = process.argv[2];
const backend = new Backend(), bridge = new Bridge();
await backend.start();
await bridge.start(backend);
const browser = await launch();
const load = new Load(bridge, 130);
const pages = await Promise.all(["light", "dark"].map(async colorScheme => {
  const page = await open(browser, bridge, {colorScheme, viewport: {width: 1200, height: 1010}});
  return {page, file: path.join(folder, `live-page-${colorScheme}.png`)};
}));
try {
  // For the plots to show something: a minute, and in it a backend that says nothing for a while.
  const seconds = number => until(pages[0].page, number => document.querySelector("#plot-rate .uplot")?.dataset.points >= number, number, 100_000);
  await seconds(30);
  backend.freeze();
  await seconds(32);
  backend.thaw();
  await seconds(75);
  for (const {page, file} of pages) {
    await page.bringToFront();
    await page.fill("#code", "404");
    await page.click("#ask-form button");
    await page.locator("#followed-answer", {hasText: "404: 200 after"}).waitFor();
    await page.locator(".request.mine.answered").waitFor();
    await page.screenshot({path: file});
  }
} finally {
  load.stop();
  await browser.close();
  await bridge.stop();
  await backend.stop();
}
