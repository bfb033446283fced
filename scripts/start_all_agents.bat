@echo off
rem Starts the console, the APIs and all agents, each on its own port.
cd /d "%~dp0.."
python run.py %*
