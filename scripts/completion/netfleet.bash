# bash completion for netfleet and netfleet-worker. Verbs and options come from --help itself, so they
# are always those of the program that is completed.

_netfleet_verbs() {
  "$1" --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  +.*/\1/p'
}

_netfleet_options() {
  "$@" --help 2>/dev/null | grep -oE -- '^  (-[A-Za-z],)?--[a-z-]+' | sed 's/.*--/--/'
}

# What an option takes, as the help writes it: FILE.
_netfleet_takes() {
  local option=$1
  shift
  "$@" --help 2>/dev/null |
    sed -nE "s/^  (-[A-Za-z],$option|$option,--[a-z-]+|$option) (['A-Z][^ ]*).*/\2/p"
}

_netfleet() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' index
  local command=("${COMP_WORDS[0]}") values=''
  COMPREPLY=()
  if [ "${command[0]##*/}" != netfleet-worker ]; then
    for ((index = 1; index < COMP_CWORD; index++)); do
      case ${COMP_WORDS[index]} in
        -*) ;;
        *) verb=${COMP_WORDS[index]}; command+=("$verb"); break ;;
      esac
    done
    if [ -z "$verb" ]; then
      values="$(_netfleet_verbs "${command[0]}") --help --version"
      mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
      return
    fi
  fi

  local takes=''
  [[ $previous != -* ]] || takes=$(_netfleet_takes "$previous" "${command[@]}")
  case $previous in
    -o | --output) values="text grouped jsonl csv summary"
      [[ $verb = @(workers|detect|status|schedule) ]] && values="table jsonl" ;;
    --git-shard) values="none region group" ;;
    --order) values="inventory completion" ;;
    --on-max-failures) values="stop ask" ;;
    --only | --count-failures) values="failed skipped lost" ;;
    --on-auth-failure) values="stop continue" ;;
    --host-key-policy) values="strict accept-new off" ;;
    --progress) values="auto on off" ;;
    schedule) [[ $verb = schedule && $word != -* ]] && values="list history pause resume" ;;
  esac
  if [ -n "$values" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [ "$takes" = VARIABLE ]; then
    mapfile -t COMPREPLY < <(compgen -e -- "$word")
  elif [[ $takes = *FILE* || $takes = *DIR* || (-z $takes && $word != -*) ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  elif [ -z "$takes" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_netfleet_options "${command[@]}")" -- "$word")
  fi
}

complete -F _netfleet netfleet netfleet-worker
