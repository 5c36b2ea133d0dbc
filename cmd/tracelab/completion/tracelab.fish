# Completion of tracelab for fish: tracelab completion fish >~/.config/fish/completions/tracelab.fish

function __tracelab_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -e words[1]
    for line in (command $program __complete -- $words "$current" 2>/dev/null)
        switch $line
            case ':lead=*'
            case ':files' ':folders'
                set -l option (string match -r -- '^--[^=]*=' "$current")
                for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
                    if test $line = :files; or string match -q -- '*/*' (string split \t -- $path)[1]
                        echo "$option$path"
                    end
                end
            case '*'
                echo $line
        end
    end
end

complete -c tracelab -f -a '(__tracelab_complete)'
