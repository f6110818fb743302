const {Troupe}=await import('../src/index.ts'); 
const mode=process.argv[2] as any; const what=process.argv[3];
const tr=await Troupe.start({mode, stopGraceMs:2000});
const req={messages:[{role:'user' as const,content:[{type:'image' as const,image:'examples/three-shapes-on-tan.png'},{type:'text' as const,text:'What do you see?'}]}]};
if (what==='abort') { const c=new AbortController(); const p=tr.chat({...req,signal:c.signal}); c.abort(); console.log(await p.catch(e=>e.code)); }
if (what==='abort20') { const c=new AbortController(); const p=tr.chat({...req,signal:c.signal}); setTimeout(()=>c.abort(),20); console.log(await p.catch(e=>e.code)); }
if (what==='break') { let n=0; for await (const d of tr.stream(req)) if (++n===3) break; }
if (what==='ok') await tr.chat(req);
console.log((await tr.chat(req)).text);
const t=performance.now(); console.log(await tr.stop(), (performance.now()-t).toFixed(0),'ms');
process.on('exit',()=>console.log('exit',(performance.now()-t).toFixed(0),'ms'));
setTimeout(()=>{console.log(process.getActiveResourcesInfo())},3000).unref();
