# bash completion for netfleet and netfleet-worker. The options come from --help itself, so they are
# always those of the program that is completed.

_netfleet_options() {
  "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

_netfleet() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      -*) ;;
      *) verb=${COMP_WORDS[index]}; break ;;
    esac
  done

  local values=''
  case $previous in
    -o | --output) values="text grouped jsonl csv summary"; [[ $verb = workers || $verb = detect ]] && values="table jsonl" ;;
    --git-shard) values="none region group" ;;
    --order) values="inventory completion" ;;
    --on-auth-failure) values="stop continue" ;;
    --host-key-policy) values="strict accept-new off" ;;
    --progress) values="auto on off" ;;
    -i | --inventory | --commands-file | --ssh-config | --config-file | --password-file | \
      --enable-password-file | -k | --key | --known-hosts | --output-dir | --git | --platform-dir | \
      --session-log | --spool | --store)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      compopt -o filenames 2>/dev/null
      return
      ;;
    --password-env | --enable-password-env | --key-passphrase-env)
      mapfile -t COMPREPLY < <(compgen -e -- "$word")
      return
      ;;
  esac
  if [ -n "$values" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [ "${COMP_WORDS[0]##*/}" = netfleet-worker ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_netfleet_options "${COMP_WORDS[0]}")" -- "$word")
  elif [ -z "$verb" ]; then
    mapfile -t COMPREPLY < <(compgen -W "run detect results diff prune workers keygen replay --help --version" -- "$word")
  elif [ "$verb" = replay ] && [[ $word != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_netfleet_options "${COMP_WORDS[0]}" "$verb")" -- "$word")
  fi
}

complete -F _netfleet netfleet netfleet-worker
