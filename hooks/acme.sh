#!/usr/bin/env sh

# Deploy hook of acme.sh for jitsi-install, laid out by jitsi-install. Name it once:
#
#   acme.sh --deploy -d meet.example.org --deploy-hook jitsi_install
#
# acme.sh remembers it, and calls it after each renewal with the certificate's name, key,
# certificate, issuers and full chain.

jitsi_install_deploy() {
  _ckey="$2"
  _cfullchain="$5"

  if ! /usr/sbin/jitsi-install renew --cert "$_cfullchain" --key "$_ckey"; then
    _err "jitsi-install could not hand the certificate to everybody: see what it said above."
    return 1
  fi
  return 0
}
