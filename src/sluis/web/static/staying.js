// Says in time that a session is about to end, and lets somebody stay (WCAG 2.2, 2.2.1). Without script it simply ends.
(() => {
  const bar = document.querySelector("[data-idle]");
  const ahead = 5 * 60;
  let timer;
  const begin = () => {
    clearTimeout(timer);
    bar.hidden = true;
    timer = setTimeout(() => { bar.hidden = false; }, (Number(bar.dataset.idle) - ahead) * 1000);
  };
  bar.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch("/still-here").catch(() => null);
    if (answer !== null && answer.ok) begin();
    else location.assign("/sign-in");
  });
  begin();
})();
