#!/usr/bin/env bash
# A Masterportal draws the features of a layer OAF with the coordinates of the answer: GeoJSON in degrees, which every such
# server gives, is not brought into the system of the map. Without `crs` in services.json none is asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log
npm install --no-audit --no-fund --ignore-scripts "@masterportal/masterportalapi@2.54.0" "esbuild@0.28.2" >> npm.log 2>&1
cat > layer.mjs <<'JAVASCRIPT'
import oaf, {createUrl} from "@masterportal/masterportalapi/src/layer/oaf.js";
import {get} from "ol/proj.js";
import {register} from "ol/proj/proj4.js";
import proj4 from "proj4";
proj4.defs("EPSG:25832", "+proj=utm +zone=32 +ellps=GRS80 +units=m +no_defs");
register(proj4);
const answer = {type: "FeatureCollection", features: [{type: "Feature", properties: {},
    geometry: {type: "Point", coordinates: [10, 51]}}]};
globalThis.fetch = async () => ({ok: true, json: async () => answer});
const layer = {id: "x", typ: "OAF", url: "https://example.org", collection: "stations"};
console.log("asked for:", createUrl(layer, {}).href);
const source = oaf.createLayerSource(layer, {loadingParams: {}});
source.once("featuresloadend", () => {
    const drawn = source.getFeatures()[0].getGeometry().getCoordinates();
    console.log("drawn in EPSG:25832 at:", drawn);
    if (drawn[0] !== 10) { console.log("it is converted now: this has changed"); process.exit(1); }
});
source.loadFeatures([500000, 5600000, 600000, 5700000], 1, get("EPSG:25832"));
JAVASCRIPT
node_modules/.bin/esbuild layer.mjs --bundle --platform=node --format=cjs --outfile=layer.cjs --log-level=error
echo "masterportalapi $(node -p "require('./node_modules/@masterportal/masterportalapi/package.json').version")"
node layer.cjs
