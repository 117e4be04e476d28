# The image with Open MPI and a way in by SSH, which is how MPI starts a program on other machines:
#   docker build -f deploy/mpi.Dockerfile --build-arg IMAGE=revq -t revq-mpi deploy
ARG IMAGE=revq
# hadolint ignore=DL3006
FROM ${IMAGE}
# hadolint ignore=DL3002
USER 0
# The operator brings keys into ~/.ssh and lets nobody else in, so hosts need no confirmation and ports no privilege.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends openmpi-bin openssh-client openssh-server \
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
 && usermod --home /home/revq --shell /bin/bash revq \
 && install -d -o revq -g revq -m 700 /home/revq /home/revq/.ssh \
 && printf '%s\n' 'Host *' '  Port 2222' '  StrictHostKeyChecking no' '  UserKnownHostsFile /dev/null' '  LogLevel ERROR' \
    > /etc/ssh/ssh_config.d/revq.conf \
 && printf '%s\n' 'Port 2222' 'HostKey /home/revq/.ssh/id_rsa' 'PidFile /tmp/sshd.pid' 'StrictModes no' 'PasswordAuthentication no' \
    'AuthorizedKeysFile /home/revq/.ssh/authorized_keys' 'AcceptEnv REVQ_* OPENBLAS_*' > /etc/ssh/revq_sshd_config
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT []
CMD ["/usr/sbin/sshd", "-De", "-f", "/etc/ssh/revq_sshd_config"]
