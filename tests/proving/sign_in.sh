# Signs in to Prosody over BOSH on loopback as the web application would, and prints what came of it:
# `success`, or the condition. For bash -c, with curl:
#
#   HOST NAME PASSWORD
#   HOST "" TOKEN

ask() {
  curl -sS --max-time 20 -H 'Content-Type: text/xml' --data "<body xmlns='http://jabber.org/protocol/httpbind' $1" \
    "http://127.0.0.1:5280/http-bind?token=$token"
}
token=x.y.z mechanism=PLAIN word=$(printf '\0%s\0%s' "$1" "$2" | base64 -w 0)
[ -n "$1" ] || token=$2 mechanism=ANONYMOUS word=
begun=$(ask "to='$0' rid='1' ver='1.6' wait='5' hold='1' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>")
sid=$(sed -n "s/.* sid='\([^']*\)'.*/\1/p" <<< "$begun")
said=$(ask "sid='$sid' rid='2'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='$mechanism'>$word</auth></body>")
case $said in
  *'<success'*) echo success ;;
  *'<failure'*) grep -o '<failure[^>]*><[a-z-]*' <<< "$said" | sed 's/.*<//' ;;
  *) echo "neither: $begun $said" ;;
esac
