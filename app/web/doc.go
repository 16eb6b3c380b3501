// Package web serves the lab's pages: the list of runs and, for each run, its state, its cases and the end of its
// console. Pages are plain HTML without JavaScript. Console bytes are hostile, and reach a page as text only.
package web
