# What is installed, and the Debian package (cpack --config build/release/CPackConfig.cmake).
set(FT_SHARE ${CMAKE_INSTALL_DATADIR}/fraudtop)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION ${FT_SHARE}/models
  PATTERN train EXCLUDE PATTERN "*.py" EXCLUDE PATTERN "__pycache__" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/data/test.csv.gz ${PROJECT_SOURCE_DIR}/data/new_small.csv DESTINATION ${FT_SHARE}/data)
foreach(page fraudtop.1 fraudtop-config.5 fraudtop-keys.7)
  string(REGEX REPLACE ".*[.]" "" section ${page})
  install(FILES ${PROJECT_SOURCE_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
file(GLOB documents ${PROJECT_SOURCE_DIR}/docs/*.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES ${PROJECT_SOURCE_DIR}/examples/score_row.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
foreach(document README.md NEWS.md LICENSE)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${document})
    install(FILES ${PROJECT_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
endforeach()
file(GLOB units ${PROJECT_SOURCE_DIR}/deploy/systemd/*.service)
install(FILES ${units} DESTINATION lib/systemd/system)

# Completions are printed by the program from its tables.
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/completion/${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/completion
    COMMAND fraudtop completion ${shell} --config /dev/null > ${CMAKE_BINARY_DIR}/completion/${shell}
    DEPENDS fraudtop VERBATIM)
  list(APPEND completions ${CMAKE_BINARY_DIR}/completion/${shell})
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
install(FILES ${CMAKE_BINARY_DIR}/completion/bash RENAME fraudtop
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_BINARY_DIR}/completion/zsh RENAME _fraudtop
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${CMAKE_BINARY_DIR}/completion/fish RENAME fraudtop.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fraudtop)
set(CPACK_PACKAGE_CONTACT "fraudtop maintainers <fraudtop@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS postgresql)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
