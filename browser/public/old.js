// For browsers without modules: all else on this page is a module, which they do not run.
document.getElementById("opening").textContent = "This browser is too old to paint.";
document.getElementById("opening-more").textContent =
  "It has no JavaScript modules. Update it, or open the page in Chrome or Edge from 91, Firefox from 113, or Safari from 16.4.";
