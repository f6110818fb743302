/** A form without a line of script: the browser sends it to the route handler. */
export default function Page() {
  return (
    <form action="/api/ask" method="post" encType="multipart/form-data">
      <input type="file" name="image" accept="image/*" required />
      <input type="text" name="question" defaultValue="What is in this image?" required />
      <button type="submit">Ask</button>
    </form>
  );
}
