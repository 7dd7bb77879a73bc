# A toolchain file: turns CUDA on in a build that does not know of it (lib/adapters/whisper/build.ts), by way of the
# environment variable CMAKE_TOOLCHAIN_FILE.
set(GGML_CUDA ON CACHE BOOL "")
set(CMAKE_CUDA_ARCHITECTURES "$ENV{CUDA_ARCHITECTURES}" CACHE STRING "")
# Without it the program would be linked to the driver's library, which only a machine with a GPU has: it could be
# neither checked here nor run on a processor.
set(GGML_CUDA_NO_VMM ON CACHE BOOL "")
