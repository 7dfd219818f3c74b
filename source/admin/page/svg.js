// Elements of a drawing.

// Attributes are set one by one: a style attribute is what the page's Content-Security-Policy does not let pass.
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes))
    element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}
