/** Where the unit goes, and what it makes of the host. */
export const unitPath = "/etc/systemd/system/posthouse.service";
export const unitDataDir = "/var/lib/posthouse";
export const unitEnvFile = "/etc/posthouse.env";

/** The place for an executable that all of the machine may run. */
export const usualExecutable = "/usr/local/bin/posthouse";

/**
 * A systemd unit that may do what Posthouse needs and no more.
 * MemoryDenyWriteExecute is left out: the JavaScript engine compiles at run time.
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
 * @param executable absolute path
 */
export function renderUnit(executable: string): string {
  return `[Unit]
Description=Posthouse, a Telegram CRM and message relay
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${quote(executable)} serve
# SIGHUP reads the TLS certificate again.
ExecReload=/bin/kill -HUP $MAINPID
Environment=DATA_DIR=${unitDataDir} LOG_FORMAT=json
# Further settings, a NAME=value in each line; the file may be missing.
EnvironmentFile=-${unitEnvFile}
Restart=on-failure
RestartSec=1
# Wrong settings stay wrong: exit code 2 is not tried again.
RestartPreventExitStatus=2
TimeoutStopSec=15
LimitNOFILE=65536

# The user exists while the service runs; its data stay in ${unitDataDir}.
DynamicUser=yes
StateDirectory=posthouse
StateDirectoryMode=0700
UMask=0077

# A port below 1024 needs CAP_NET_BIND_SERVICE in these two, and PrivateUsers=no.
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
`;
}

/** https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines */
function quote(path: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./+-]+$/.test(path) ? path : `"${escaped}"`;
}
