# Installs what has been built, as a user would, and builds the programs in this folder against it:
#
#   cmake -D BUILD=… -D TO=… -D GENERATOR=… -D COMPILER=… -D LAUNCHER=… -P install_and_build.cmake
#
# BUILD is the build folder of Causeway; TO gets the folders `prefix` and `build`.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${TO}/prefix ${TO}/elsewhere)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${TO}/elsewhere --component development)
# A user who gets it in an archive has it in another place than it was installed to.
file(RENAME ${TO}/elsewhere ${TO}/prefix)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${TO}/build -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Debug
    -DCMAKE_PREFIX_PATH=${TO}/prefix -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build ${TO}/build)
