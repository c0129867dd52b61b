// ReDoc shows its makers' logo from their server. Pages here load nothing from other hosts, so it stays away.
const isOurs = (address) => ["data:", location.protocol + "//" + location.host].some((start) =>
  new URL(address, document.baseURI).href.startsWith(start));

const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...source,
  set(address) {
    if (isOurs(address)) source.set.call(this, address);
  },
});

const setAttribute = HTMLImageElement.prototype.setAttribute;
HTMLImageElement.prototype.setAttribute = function setOwnSource(name, value) {
  if (name !== "src" || isOurs(value)) setAttribute.call(this, name, value);
};
