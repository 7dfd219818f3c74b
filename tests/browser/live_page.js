// The live page as its users have it: a real bridge, a real backend, a real browser.
import assert from "node:assert/strict";
import {after, afterEach, before, describe, test} from "node:test";
import axe from "axe-core";
import {askAndHangUp, Backend, Bridge, Load} from "./bridge.js";
import {launch, open, until} from "./browser.js";

const backend = new Backend(), bridge = new Bridge();
let browser, page;

async function visit(options) {
  page = await open(browser, bridge, options);
  await page.locator("#connection[data-state=live]").waitFor();
  return page;
}

async function ask(code) {
  await page.fill("#code", code);
  await page.click("#ask-form button");
}

const answerIs = text => page.locator("#followed-answer", {hasText: text}).waitFor();
const upstreamIs = text => page.locator("#upstreams-list li", {hasText: text}).waitFor();

describe("the live page", () => {
  before(async () => {
    await backend.start();
    await bridge.start(backend);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await bridge.stop();
    await backend.stop();
  });

  afterEach(async () => {
    const problems = page?.problems ?? [];
    await page?.context().close();
    page = undefined;
    assert.deepEqual(problems, []);
  });

  test("opens without an error, and asks nobody but the bridge", async () => {
    const answers = [];
    page = await open(browser, bridge);
    page.on("response", response => answers.push(response));
    await page.reload();
    await page.locator("#connection[data-state=live]").waitFor();
    await until(page, () => document.getElementById("figure-sessions").textContent !== "–");
    await upstreamIs("2 of 2 connections");
    const policy = (await answers[0].allHeaders())["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.ok(answers.length > 10, "the page consists of more files than that");
  });

  test("follows a request that is sent from it through all its steps, in order", async () => {
    await visit();
    await ask("404");
    await answerIs(/^404: 200 after/);
    const steps = await page.$$eval("#followed-steps th", cells => cells.map(cell => cell.textContent));
    assert.deepEqual(steps, ["Read", "Queued", "Written", "Reply matched", "Answered"]);
    const inMicroseconds = text => parseFloat(text) * {"µs": 1, "ms": 1e3, "s": 1e6}[text.split(" ")[1]];
    const times = (await page.$$eval("#followed-steps td:nth-child(2)", cells => cells.map(cell => cell.textContent))).map(inMicroseconds);
    assert.deepEqual(times, times.slice().sort((one, other) => one - other));
    assert.ok(times.at(-1) > 0);
    assert.match(await page.textContent("#followed-body"), /Code 404: Not Found/);
    await page.locator(".request.mine.answered").first().waitFor();
    await page.locator("#requests tr.mine", {hasText: "404"}).first().waitFor();

    await page.click("#replay");
    await page.locator("#stage[data-state=playing]").waitFor();
    await page.locator("#narration li", {hasText: "finds the request"}).waitFor();
    await page.click("#back");
    await page.locator("#stage[data-state=live]").waitFor();
  });

  test("says of a code that is none what the bridge says of it", async () => {
    await visit();
    await page.$eval("#code", input => input.removeAttribute("pattern"));
    await ask("!!");
    await answerIs(/^!!: 400 after/);
    assert.match(await page.textContent("#followed-body"), /error/);
  });

  test("shows under load how requests move, and fills the plot of the rate", async () => {
    await visit();
    const load = new Load(bridge, 20);
    try {
      // A message goes all the way from the bridge to the upstream and comes back.
      await page.evaluate(() => {
        const seen = globalThis.seen = new Map();
        const look = () => {
          for (const message of document.querySelectorAll("#drawing .message[transform]")) {
            const x = Number(message.getAttribute("transform").match(/translate\((\S+)/)[1]);
            const {furthest = x, returned = false} = seen.get(message) ?? {};
            seen.set(message, {furthest: Math.max(furthest, x), returned: returned || message.classList.contains("reply") && x < furthest - 300});
          }
          requestAnimationFrame(look);
        };
        look();
      });
      await until(page, () => [...globalThis.seen.values()].some(message => message.returned));
      await until(page, () => parseFloat(document.getElementById("figure-rate").textContent) > 20);
      await until(page, () => document.querySelectorAll("#requests-rows tr.answered").length > 8);
      await until(page, () => {
        const canvas = document.querySelector("#plot-rate canvas");
        const [red, green, blue] = getComputedStyle(document.documentElement).getPropertyValue("--ok").match(/[0-9a-f]{2}/g).map(hex => parseInt(hex, 16));
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let drawn = 0;
        for (let i = 0; i < data.length; i += 4)
          drawn += Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue) < 12 && data[i + 3] > 200;
        return drawn > 40;
      });
    } finally {
      load.stop();
    }
  });

  test("replays what has just been, a thousand times as slowly", async () => {
    await visit({ownTime: true});
    await ask("200");
    await answerIs(/^200: 200 after/);
    await page.click("[data-speed='1000']");
    await page.locator("#stage[data-state=playing]").waitFor();
    await page.clock.runFor(60_000);
    await page.locator("#stage[data-state=ended]").waitFor();
    await page.click("#again");
    await page.locator("#stage[data-state=playing]").waitFor();
    await page.click("[data-speed=live]");
    await page.locator("#stage[data-state=live]").waitFor();
  });

  test("shows a timeout, an upstream that is lost, and the recovery", async () => {
    await visit();
    await upstreamIs("2 of 2 connections");
    await page.evaluate(() => {
      globalThis.hasWaited = globalThis.hasTimedOut = false;
      const look = () => {
        // While it waits, and not only when it has been answered.
        const ring = document.querySelector(".request.mine.waits .ring");
        globalThis.hasWaited ||= parseFloat(ring?.getAttribute("stroke-dasharray")) > 0.5;
        globalThis.hasTimedOut ||= document.querySelector(".request.mine.timeout:not([hidden])") !== null;
        requestAnimationFrame(look);
      };
      look();
    });
    backend.freeze();
    await ask("404");
    await until(page, () => globalThis.hasWaited);
    await answerIs("404: 504 timed out after");
    await until(page, () => globalThis.hasTimedOut);
    await page.locator("#requests tr.timeout", {hasText: "504"}).waitFor();
    await page.locator("#outcomes", {hasText: "timed out"}).waitFor();

    await backend.stop();
    await upstreamIs("not connected");
    await page.locator(".wire.lost").nth(1).waitFor();
    await page.locator(".upstream.lost").waitFor();

    await backend.start();
    await upstreamIs("2 of 2 connections");
    await until(page, () => document.querySelectorAll(".wire.lost").length === 0);
    await ask("404");
    await answerIs(/^404: 200 after/);
  });

  test("does not take a request for one that waits when its client has hung up", async () => {
    await visit();
    await upstreamIs("2 of 2 connections");
    backend.freeze();
    try {
      await askAndHangUp(bridge, "503");
      const row = page.locator("#requests-rows tr", {hasText: "503"}).first();
      await row.locator("td", {hasText: /^abandoned$/}).waitFor();
      await until(page, () => document.querySelector(".request.failed") !== null);
      await until(page, () => document.querySelectorAll("#drawing .request, #requests-rows tr.waiting").length === 0);
    } finally {
      backend.thaw();
    }
    await ask("404");
    await answerIs(/^404: 200 after/);
  });

  // What each scene shows on the way to its end.
  const scenes = {
    "late-reply": {title: "Late reply", shows: [".request.timeout", ".message.dropped"]},
    "tie": {title: "Tie", shows: [".request.answered"], never: [".request.timeout"]},
    "restart": {title: "Restart", shows: [".wire.lost", ".request.answered"], never: [".request.timeout", ".request.failed"]},
    "window-of-1": {title: "Window of 1", shows: [".request.answered", ".message.reply"], never: [".request.failed"]},
    "coalescing": {title: "Coalescing", shows: [".request.answered", ".message.reply"], never: [".request.failed"]},
  };
  for (const [name, {title, shows, never = []}] of Object.entries(scenes))
    test(`plays the scene “${title}” to its end`, async () => {
      await visit({ownTime: true});
      await page.getByRole("button", {name: title}).click();
      await page.locator(`#stage[data-state=playing]`).waitFor();
      await page.evaluate(selectors => {
        globalThis.shown = new Set();
        const look = () => {
          for (const selector of selectors)
            if (document.querySelector(`#drawing ${selector}:not([hidden])`))
              globalThis.shown.add(selector);
          requestAnimationFrame(look);
        };
        look();
      }, [...shows, ...never]);
      for (let i = 0; i !== 60 && await page.getAttribute("#stage", "data-state") !== "ended"; ++i)
        await page.clock.runFor(1000);
      assert.equal(await page.getAttribute("#stage", "data-state"), "ended");
      const shown = await page.evaluate(() => [...globalThis.shown]);
      assert.deepEqual(shown.sort(), shows.slice().sort());
      const items = await page.$$eval("#narration li", all => all.map(item => item.className));
      assert.ok(items.length > 2 && items.every(name => name === "happened"));
    });

  test("can be used by keyboard alone", async () => {
    await visit();
    await page.locator("#ask").waitFor();
    const tabTo = async condition => {
      for (let i = 0; i !== 60; ++i) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(condition))
          return page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      }
      assert.fail("the focus never comes there");
    };
    assert.equal(await tabTo(() => document.activeElement.dataset.scene === "tie"), "solid");
    await page.keyboard.press("Enter");
    await page.locator("#stage[data-state=playing]").waitFor();
    await tabTo(() => document.activeElement.id === "pause");
    await page.keyboard.press("Space");
    await page.locator("#stage[data-state=paused]").waitFor();
    await tabTo(() => document.activeElement.id === "position");
    await page.keyboard.press("End");
    await page.locator("#stage[data-state=ended]").waitFor();
    await tabTo(() => document.activeElement.id === "back");
    await page.keyboard.press("Enter");
    await page.locator("#stage[data-state=live]").waitFor();
    assert.equal(await tabTo(() => document.activeElement.id === "code"), "solid");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("418");
    await page.keyboard.press("Enter");
    await answerIs(/^418: 200 after/);
  });

  test("moves nothing for those who want that, and tells all in words", async () => {
    await visit({reducedMotion: "reduce"});
    assert.equal(await page.isVisible("#drawing"), false);
    await ask("404");
    await answerIs(/^404: 200 after/);
    await page.locator("#requests tr.mine", {hasText: "404"}).first().waitFor();
    await page.getByRole("button", {name: "Late reply"}).click();
    await page.locator("#narration li.happened", {hasText: "dropped"}).waitFor();
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  });

  for (const colorScheme of ["light", "dark"])
    test(`has no serious problem for assistive technology, ${colorScheme}`, async () => {
      await visit({colorScheme});
      await ask("404");
      await answerIs(/^404: 200 after/);
      await page.click(".legend summary");
      await page.getByRole("button", {name: "Window of 1"}).click();
      await page.locator("#narration li.happened").nth(1).waitFor();
      await page.click("#pause");
      await page.evaluate(axe.source);
      const {violations} = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({impact}) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({id, nodes}) => [id, nodes.map(node => node.html)]), []);
    });

  test("fits into a narrow window", async () => {
    await visit({viewport: {width: 360, height: 740}});
    await ask("404");
    await answerIs(/^404: 200 after/);
    await page.click(".legend summary");
    await page.getByRole("button", {name: "Restart"}).click();
    await page.locator("#narration li.happened").first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    const outside = await page.$$eval("button, input, h2, #drawing svg, .message, .request", all =>
      all.filter(element => element.getBoundingClientRect().right > innerWidth).map(element => element.outerHTML));
    assert.deepEqual(outside, []);
  });
});
