// Of a project whose test is the one of docs/guides/inbox.md.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  reporter: "line",
  use: {
    baseURL: process.env.BASE_URL,
    launchOptions: { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] },
  },
});
