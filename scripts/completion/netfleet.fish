# fish completion for netfleet and netfleet-worker. Verbs and options come from --help itself, so they
# are always those of the program that is completed.

function __netfleet_candidates
    set -l command (commandline -opc)
    set -l typed (commandline -ct)
    set -l previous $command[-1]
    set -l verb (string match -v -- '-*' $command[2..])[1]
    if string match -q '*netfleet-worker' -- $command[1]
        set verb
    else if test -z "$verb"; and not string match -q -- '-*' $typed
        $command[1] --help 2>/dev/null | string replace -rf '^  ([a-z]+)  +(.*)$' '$1\t$2'
        return
    end

    set -l help ($command[1] $verb --help 2>/dev/null)
    # What an option takes is the word behind its name.
    set -l takes (string replace -rf -- '^  (?:-[A-Za-z],)?(?:--[a-z-]+) ([\'A-Z]\S*).*' '$1' \
        (string match -re -- '^  (\S*,)?'(string escape --style=regex -- $previous)'[ ,]' $help))
    switch "$previous $verb $takes"
        case '-o workers *' '-o detect *' '--output workers *' '--output detect *' \
            '-o status *' '-o schedule *' '--output status *' '--output schedule *'
            string split ' ' 'table jsonl'
        case '-o *' '--output *'
            string split ' ' 'text jsonl summary'
        case 'schedule schedule *'
            string split ' ' 'list history pause resume'
        case '--order *'
            string split ' ' 'inventory completion'
        case '--on-auth-failure *'
            string split ' ' 'stop continue'
        case '--host-key-policy *'
            string split ' ' 'strict accept-new off'
        case '--progress *'
            string split ' ' 'auto on off'
        case '* VARIABLE'
            set -nx
        case '*FILE*' '*DIR*'
            __fish_complete_path $typed
        case '*'
            if string match -q -- '-*' $typed
                string replace -rf -- '^  (?:-[A-Za-z],)?(--[a-z-]+)(?: [\'A-Z]\S*)?(?: +(.*))?$' '$1\t$2' $help
            else if test -z "$takes"
                __fish_complete_path $typed
            end
    end
end

for program in netfleet netfleet-worker
    complete -c $program -f -a '(__netfleet_candidates)'
end
