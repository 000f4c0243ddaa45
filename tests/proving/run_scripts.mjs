// Runs config.js and interface_config.js as a browser and as a mobile app would, and prints what
// they define: one line of JSON for each line of standard input, which is
//   { "files": [path...], "path": "/Room" or null (an engine without `location`) }
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
    const { files, path } = JSON.parse(line);
    const world = vm.createContext(path === null ? {} : { location: { pathname: path } });
    for (const file of files) {
        vm.runInContext(readFileSync(file, 'utf8'), world, { filename: file, timeout: 5000 });
    }
    console.log(vm.runInContext(
        'JSON.stringify({ config: typeof config === "undefined" ? null : config,'
        + ' interfaceConfig: typeof interfaceConfig === "undefined" ? null : interfaceConfig,'
        + ' names: Object.keys(this).sort() })', world));
}
