// jco loads these names at its start. None is called by `embed`, `new`, `print` or `wit`.
function absent(name) {
  return () => {
    throw new Error(`${name} is not installed: tools/node/package.json leaves it out.`);
  };
}

export const minify = absent("oxc-minify");
export const minifySync = absent("oxc-minify");
export const parseSync = absent("rolldown");
export const Visitor = absent("rolldown");
