/* The process as a whole: what Swift's module of glibc does not declare. */
#pragma once

/* Has memory blocks of a megabyte and more given back to the system when they are freed. Left alone, glibc learns from the first large
   request body that such sizes are common, keeps them, and as many for each thread: a few of them would hold hundreds of megabytes for
   ever. Called before the first thread is started. */
void process_return_memory(void);

/* Gives whole free pages inside the heap back too, which glibc keeps by itself while anything lies above them. Takes milliseconds. */
void process_trim_heap(void);
