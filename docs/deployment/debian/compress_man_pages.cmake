# Debian's policy, 12.1: manual pages are compressed with `gzip -9n`. CPack runs this on what it is about to pack.
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man/*.[1-8])
if(pages)
    execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
endif()
