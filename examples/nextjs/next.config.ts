import type { NextConfig } from 'next';

const config: NextConfig = {
  // Its threads begin with files of its own, which a bundle does not have.
  serverExternalPackages: ['troupe'],
};

export default config;
