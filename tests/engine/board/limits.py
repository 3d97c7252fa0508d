# Calls the export "run" of each module, inline, threaded, and again after a reset. Arguments: a folder,
# and NAME=ARGUMENT or NAME for each. A line for each: the name, and the result or the error.
import gc
import sys

import wasm3


def threaded(i, args):
    i.start("run", *args)
    while True:
        news = i.poll(1000)
        if news:
            return news[1]


def main(folder, cases):
    for case in cases:
        name, _, argument = case.partition("=")
        args = (int(argument),) if argument else ()
        try:
            with open(folder + "/" + name + ".wasm", "rb") as file:
                i = wasm3.Module(file.read()).instantiate(())
            found = [i.call("run", *args), threaded(i, args)]
            i.reset()
            found.append(threaded(i, args))
            i.close()
        except wasm3.Error as error:
            found = [type(error).__name__, str(error.args[0])]
        print(name, found)
        gc.collect()


main(sys.argv[1], sys.argv[2:])
