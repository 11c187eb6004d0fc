import { chromium } from "playwright-core";
import { preview } from "vite";
const STATES=(process.argv[3]||"not-connected,first-connected,connected,paused,syncing,throttled,refused,reconnect-needed,calendar-gone,misconfigured,other-account,disconnecting,offline,service-away").split(",");
const width=Number(process.argv[2]??1280);
const server = await preview({configFile:"/work/wt/pages/clients/react/gallery/vite.config.ts",preview:{port:0,host:"127.0.0.1"},logLevel:"error"});
const browser = await chromium.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox","--disable-gpu","--disable-quic"]});
const page=await browser.newPage({viewport:{width,height:width===320?800:900},reducedMotion:"reduce",timezoneId:"Europe/Paris"});
await page.addInitScript(()=>{
  window.shifted=0; window.sources=[];
  const count=(es)=>{for(const e of es) if(!e.hadRecentInput){window.shifted+=e.value; for(const s of e.sources) window.sources.push(`${s.node?.className??s.node?.nodeName}: ${s.previousRect.y|0}+${s.previousRect.height|0}→${s.currentRect.y|0}+${s.currentRect.height|0}`)}};
  const o=new PerformanceObserver(l=>count(l.getEntries())); o.observe({type:"layout-shift",buffered:true});
  window.take=async()=>{ for(let i=0;i<2;i++) await new Promise(r=>requestAnimationFrame(r)); await new Promise(r=>setTimeout(r,40)); for(let i=0;i<2;i++) await new Promise(r=>requestAnimationFrame(r)); count(o.takeRecords()); const r={v:window.shifted,s:window.sources}; window.shifted=0; window.sources=[]; return r;};
});
const addr=server.httpServer.address();
await page.goto(`http://127.0.0.1:${addr.port}/?view=google&state=${STATES[0]}&locale=fr`);
await page.waitForLoadState("networkidle"); await page.waitForTimeout(300);
await page.evaluate(()=>window.take());
// euler walk
const n=STATES.length, left=STATES.map((_,i)=>STATES.map((_,j)=>j).filter(j=>j!==i));
const stack=[0],path=[];
while(stack.length){const v=stack.at(-1); if(left[v].length) stack.push(left[v].pop()); else path.push(stack.pop());}
path.reverse();
const table={}; const bad=[];
const t0=Date.now();
for(let k=1;k<path.length;k++){
  const [a,b]=[STATES[path[k-1]],STATES[path[k]]];
  const r=await page.evaluate(async(b)=>{window.postMessage({becomes:b}); await new Promise(r=>setTimeout(r)); return window.take();},b);
  (table[a]??={})[b]=r.v;
  if(r.v>0.02) bad.push([r.v.toFixed(4),a,b,r.s.slice(0,6)]);
}
console.log(path.length-1,"transitions",Date.now()-t0,"ms");
const h=(s)=>s.slice(0,7).padEnd(8);
console.log(h("")+STATES.map(h).join(""));
for(const a of STATES) console.log(h(a)+STATES.map(b=>h(a===b?"-":(table[a][b]*1000).toFixed(1))).join(""));
if(process.argv[4]) for(const x of bad) console.log(JSON.stringify(x));
const heights={}; for(const s of STATES){await page.evaluate(async(b)=>{window.postMessage({becomes:b}); await new Promise(r=>setTimeout(r)); return window.take();},s); heights[s]=await page.evaluate(()=>[document.querySelector(".cc-standing")?.getBoundingClientRect().height|0, ...[...document.querySelectorAll("section")].map(s=>s.getBoundingClientRect().height|0)]);}
console.log(heights);
await browser.close(); await server.close();
