# skipviz as one container: docker build -t skipviz . && docker run --init -p 8501:8501 -v skipviz:/data skipviz
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
RUN useradd --uid 1000 --create-home skipviz && install -d -o skipviz -g skipviz /data

WORKDIR /app
# torch has a layer of its own: it is most of the image and changes least. The build without CUDA is a tenth of the other.
RUN pip install --no-cache-dir torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py ./
COPY .streamlit ./.streamlit
COPY assets ./assets
COPY skipviz ./skipviz
RUN python -m compileall -q app.py skipviz

USER skipviz
VOLUME /data
EXPOSE 8501
ENV SKIPVIZ_PUBLIC=1 SKIPVIZ_DATA_DIR=/data STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_PORT=8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"STREAMLIT_SERVER_PORT\"]}/skipviz/ready', timeout=4)"]
# As a list, so that SIGTERM reaches the server itself, which ends its runs in order; give it time: docker stop -t 60.
CMD ["streamlit", "run", "app.py"]
