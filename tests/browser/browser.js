// Debian's Chromium, driven by Playwright.
import {chromium} from "playwright-core";

const patience = 20_000; // ms for whatever a test waits for

export function launch() {
  // The sandbox does not work for root, as whom continuous integration runs.
  return chromium.launch({executablePath: process.env.CHROMIUM, args: process.getuid() === 0 ? ["--no-sandbox"] : []});
}

// Opens the page that `bridge` serves. What goes wrong in it, and what it asks of others, is put into `page.problems`.
export async function open(browser, bridge, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, reducedMotion: "no-preference", ...options});
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.problems = [];
  page.on("console", message => message.type() === "error" && page.problems.push(message.text()));
  page.on("pageerror", error => page.problems.push(error.stack));
  page.on("request", request => {
    if (!request.url().startsWith(`${bridge.admin}/`) && !request.url().startsWith("data:"))
      page.problems.push(`asked for ${request.url()}`);
  });
  page.on("response", response => {
    if (response.status() >= 400)
      page.problems.push(`${response.status()} for ${response.url()}`);
  });
  if (options.ownTime)
    await page.clock.install();
  await page.goto(`${bridge.admin}/`);
  return page;
}

// Waits until `condition`, a function that runs in the page with `argument`, is true.
export function until(page, condition, argument, timeout = patience) {
  return page.waitForFunction(condition, argument, {polling: "raf", timeout});
}
